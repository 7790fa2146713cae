import { describe, expect, test } from "bun:test"
import { parseDockerfile } from "../../dockerfile/parse-dockerfile.ts"
import { writtenSecrets } from "./written-secret.ts"

function secretsOf(line: string): string[] {
  const [stage] = parseDockerfile(`FROM scratch\n${line}`, "Dockerfile").stages
  const run = stage?.instructions[0]
  if (run?.kind !== "run") throw new Error("no RUN")
  return writtenSecrets(run)
}

const FILE = "RUN --mount=type=secret,id=token"
const VARIABLE = "RUN --mount=type=secret,id=token,env=TOKEN"

describe("a RUN writes a secret when it", () => {
  test.each([
    `${FILE} cp /run/secrets/token /root/.netrc`,
    `${FILE} apk add curl && sudo install -m 600 /run/secrets/token /etc/token`,
    `${FILE} cat /run/secrets/token > /root/.netrc`,
    `${FILE} cat /run/secrets/token >>/root/.netrc; true`,
    `${FILE} echo "token=$(cat /run/secrets/token)" | tee -a /root/.netrc`,
    `${FILE},target=/t sed s/X/$(cat /t)/ in > out`,
    `${VARIABLE} echo $TOKEN > /t`,
    `${VARIABLE} printf '%s' "\${TOKEN}" > /t && rm -f /other`,
    `${FILE} --mount=type=tmpfs,target=/tmp cp /run/secrets/token /etc/`,
    `${FILE} <<END\nset -e\ncp /run/secrets/token /root/\nEND`,
  ])("%s", (line) => expect(secretsOf(line)).toEqual(["token"]))
})

describe("a RUN writes none when it", () => {
  test.each([
    "RUN cp /run/secrets/token /root/.netrc",
    `${FILE} curl -H "Authorization: $(cat /run/secrets/token)" https://example.org/ > answer.json`,
    `${FILE} cat /run/secrets/token | docker login --password-stdin`,
    `${FILE} cat /run/secrets/token > /dev/null 2>&1`,
    `${FILE} cp /run/secrets/token /root/.netrc && git clone x && rm -f /root/.netrc`,
    `${FILE} --mount=type=tmpfs,target=/tmp cp /run/secrets/token /tmp/t`,
    `${FILE} cp /run/secrets/token-of-another /root/`,
    `${VARIABLE} npm ci > log`,
    `${VARIABLE} echo $TOKENS > /t`,
    `${FILE} cp /etc/a /etc/b && test -f /run/secrets/token`,
  ])("%s", (line) => expect(secretsOf(line)).toEqual([]))
})
