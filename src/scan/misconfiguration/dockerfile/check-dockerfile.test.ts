import { describe, expect, test } from "bun:test"
import { parseDockerfile } from "../../../dockerfile/parse-dockerfile.ts"
import { checkDockerfileRules } from "./check-dockerfile.ts"
import { DOCKERFILE_RULES } from "./dockerfile-rules.ts"
import { cpuMs } from "../../../../test/support/cpu-time.ts"

const GOOD_END = "\nUSER app\nHEALTHCHECK CMD true\n"
const idsOf = (text: string) => checkDockerfileRules(parseDockerfile(text), "/Dockerfile").map(({ id }) => id)

/** Rule, a text that breaks it and no other, one that nearly does. */
const CASES: [id: string, bad: string, good: string][] = [
  ["DS001", "FROM debian", "FROM debian:12"],
  ["DS001", "ARG V=latest\nFROM debian:$V", "ARG V\nFROM debian:${V}"],
  ["DS001", "FROM r.example:5000/debian", "FROM r.example:5000/debian@sha256:" + "a".repeat(64)],
  ["DS001", "FROM debian:12 AS b\nFROM b\nFROM debian:latest", "FROM debian:12 AS b\nFROM b"],
  ["DS004", "FROM a:1\nEXPOSE 80 22/tcp", "FROM a:1\nEXPOSE 2222"],
  ["DS005", "FROM a:1\nADD x /y", "FROM a:1\nADD x.tar.gz /y"],
  ["DS006", "FROM a:1 AS b\nCOPY --from=b /x /y", "FROM a:1 AS b\nFROM a:1\nCOPY --from=b /x /y"],
  ["DS007", "FROM a:1\nENTRYPOINT a\nENTRYPOINT b", "FROM a:1 AS x\nENTRYPOINT a\nFROM a:1\nENTRYPOINT b"],
  ["DS009", "FROM a:1\nWORKDIR app", "FROM a:1\nWORKDIR /app"],
  ["DS010", "FROM a:1\nRUN sudo make", "FROM a:1\nRUN pseudo make"],
  ["DS011", "FROM a:1\nCOPY a b /app", "FROM a:1\nCOPY a b /app/"],
  ["DS012", "FROM a:1 AS x\nFROM a:1 AS X", "FROM a:1 AS x\nFROM a:1 AS y"],
  ["DS013", "FROM a:1\nRUN cd /x && make", "FROM a:1\nRUN make -C /x 'cd y'"],
  [
    "DS014",
    "FROM a:1\nRUN wget http://a\nRUN curl http://a",
    "FROM a:1\nRUN apk add --no-cache wget\nRUN curl http://a",
  ],
  ["DS015", "FROM a:1\nRUN yum -y install x", "FROM a:1\nRUN yum -y install x && yum clean all"],
  [
    "DS015",
    "FROM a:1\nRUN yum clean all && yum install x",
    "FROM a:1\nRUN --mount=type=cache,target=/var/cache/yum yum install x",
  ],
  ["DS016", "FROM a:1\nCMD a\nCMD b", "FROM a:1\nCMD a"],
  [
    "DS017",
    "FROM a:1\nRUN apt-get update",
    "FROM a:1\nRUN apt-get update && apt-get install -y --no-install-recommends x",
  ],
  ["DS019", "FROM a:1\nRUN dnf install -y x", "FROM a:1\nRUN dnf install -y x && dnf clean all"],
  ["DS020", "FROM a:1\nRUN zypper --non-interactive install x", "FROM a:1\nRUN zypper in x && zypper cc"],
  [
    "DS021",
    "FROM a:1\nRUN apt-get install --no-install-recommends x",
    "FROM a:1\nRUN apt-get install -qy --no-install-recommends x",
  ],
  ["DS022", "FROM a:1\nMAINTAINER me", "FROM a:1\nLABEL maintainer=me"],
  ["DS024", "FROM a:1\nRUN apt-get dist-upgrade", "FROM a:1\nRUN apt-get upgrade"],
  ["DS025", "FROM a:1\nRUN apk add x", "FROM a:1\nRUN apk --no-cache add x"],
  ["DS027", "FROM a:1\nRUN microdnf install x", "FROM a:1\nRUN microdnf install x && microdnf clean all"],
  ["DS029", "FROM a:1\nRUN apt-get install -y x", "FROM a:1\nRUN apt-get install x --no-install-recommends -y"],
  ["DS030", "FROM a:1\nWORKDIR /proc/self/fd/3", "FROM a:1\nWORKDIR /process"],
  ["DS031", "FROM a:1\nENV GITHUB_TOKEN=x", "FROM a:1\nENV GITHUB_TOKENS=x"],
  ["DS031", "FROM a:1\nARG VITE_OPENAI_API_KEY", "FROM a:1 AS x\nARG OPENAI_API_KEY\nFROM a:1"],
  ["DS031", "FROM a:1\nRUN az login -p x", "FROM a:1\nRUN --mount=type=secret,id=p az login"],
  [
    "DS031",
    "FROM a:1\nCOPY k /app/\nENV GOOGLE_APPLICATION_CREDENTIALS=/app/k",
    "FROM a:1\nCOPY k /app/\nENV GOOGLE_APPLICATION_CREDENTIALS=/run/k",
  ],
]

describe("checkDockerfileRules()", () => {
  for (const [id, bad, good] of CASES)
    test(`${id}: ${bad.split("\n").at(-1)}`, () => {
      expect(idsOf(bad + GOOD_END)).toEqual([id])
      expect(idsOf(good + GOOD_END)).toEqual([])
    })

  test("DS002: who the last stage runs as, or those that it stands on", () => {
    const health = "\nHEALTHCHECK CMD true"
    expect(idsOf(`FROM a:1${health}`)).toEqual(["DS002"])
    expect(idsOf(`FROM a:1\nUSER app\nUSER 0:0${health}`)).toEqual(["DS002"])
    expect(idsOf(`FROM a:1 AS x\nUSER app\nFROM a:1${health}`)).toEqual(["DS002"])
    expect(idsOf(`FROM a:1 AS x\nUSER app\nFROM x${health}`)).toEqual([])
  })

  test("DS008, DS023, DS026", () => {
    expect(idsOf(`FROM a:1\nEXPOSE 70000${GOOD_END}`)).toEqual(["DS008"])
    expect(idsOf(`FROM a:1\nEXPOSE 65535${GOOD_END}`)).toEqual([])
    expect(idsOf("FROM a:1\nUSER a\nHEALTHCHECK CMD a\nHEALTHCHECK CMD b")).toEqual(["DS023"])
    expect(idsOf("FROM a:1\nUSER a")).toEqual(["DS026"])
  })

  test("says the line, and the rule by all its names", () => {
    const [found] = checkDockerfileRules(
      parseDockerfile(`FROM a:1\nRUN make && \\\n  sudo x${GOOD_END}`),
      "/x/Dockerfile",
    )
    expect(found).toMatchObject({
      id: "DS010",
      aliases: ["AVD-DS-0010", "DS-0010"],
      severity: "critical",
      place: { path: "/x/Dockerfile", startLine: 2, endLine: 3 },
    })
  })

  test("finds calls in here-documents and JSON forms", () => {
    expect(idsOf(`FROM a:1\nRUN <<EOF\napk add x\nEOF${GOOD_END}`)).toEqual(["DS025"])
    expect(idsOf(`FROM a:1\nRUN ["sh", "-c", "apk add x"]${GOOD_END}`)).toEqual(["DS025"])
  })

  test("a long RUN takes no time", () => {
    const started = cpuMs()
    idsOf(`FROM a:1\nRUN ${"apt-get -a ".repeat(20_000)}${GOOD_END}`)
    expect(cpuMs() - started).toBeLessThan(1000)
  })

  test("every rule is one of the table", () => {
    expect(DOCKERFILE_RULES.get(2)).toMatchObject({ id: "DS002", aliases: ["AVD-DS-0002", "DS-0002", "CIS-4.1"] })
    expect(DOCKERFILE_RULES.size).toBe(28)
  })
})
