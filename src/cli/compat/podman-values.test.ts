import { expect, test } from "bun:test"
import { CONTAINER_FLAGS } from "../container-flags.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag } from "../flag.ts"
import { parseFlags } from "../parse-flags.ts"
import { DOCKER_FAILURES } from "./docker-failures.ts"
import type { Failures } from "./failures.ts"
import { podmanFailures } from "./podman-failures.ts"

const flags = { ...CONTAINER_FLAGS, tail: flag.string("lines") }
const context = { command: "container run", typed: "run", flags, debug: false, failureCode: 125, endsAsProgram: true }

function refusal(words: readonly string[], failures: Failures = podmanFailures("podman")): string {
  try {
    parseFlags(flags, words, true)
  } catch (error) {
    if (error instanceof UsageError) return failures.text(error, context)
    throw error
  }
  return "accepted"
}

test.each([
  [["--pull", "bogus"], 'unsupported pull policy "bogus"'],
  [["--env", "=x"], 'invalid environment variable: "=x"'],
  [["--dns", "bad"], "bad is not an ip address"],
  [["--mount", "type=foo,dst=/t"], 'invalid filesystem type "foo"'],
  [["--mount", "type=bind,src=/tmp"], "must set volume destination"],
  [["--mount", "type=bind,src=/tmp,dst=/t,foo=bar"], "foo: invalid mount option"],
  [
    ["--volume", "rel/path:/x"],
    'creating named volume "rel/path": running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument',
  ],
  [["--volume", "/tmp:rel"], 'invalid container path "rel", must be an absolute path'],
  [["--memory", "abc"], "invalid value for memory: invalid size: 'abc'"],
  [["--publish", "99999:80"], "parsing host port: port numbers must be between 1 and 65535 (inclusive), got 99999"],
  [["--publish", "bad"], 'parsing container port: invalid port number: strconv.Atoi: parsing "bad": invalid syntax'],
  [["--publish", "1:2:3:4"], "invalid port format - format is [[hostIP:]hostPort:]containerPort"],
  [["--pid", "bogus"], "unrecognized namespace mode bogus passed"],
  [["--sysctl", "bad"], "bad is invalid, sysctl values must be in the form of KEY=VALUE"],
  [["--health-interval", "bogus"], 'invalid healthcheck-interval: time: invalid duration "bogus"'],
  [["--network", "n2:bogus=1"], "invalid option for network n2: unknown bridge network option: bogus"],
])("a value that %p has is refused in podman's sentence", (words, sentence) => {
  expect(refusal(words)).toBe(`Error: ${sentence}\n`)
})

test("what pflag itself reads is refused in its frame, with Go's words", () => {
  expect(refusal(["--cpus", "x"])).toBe(
    `Error: invalid argument "x" for "--cpus" flag: strconv.ParseFloat: parsing "x": invalid syntax\nSee 'podman run --help'\n`,
  )
})

test.each([
  [["--pull", "bogus"], `docker: invalid pull option: 'bogus': must be one of "always", "missing" or "never"\n\nRun`],
  [["--publish", "bad"], "docker: invalid containerPort: bad\n\nRun 'docker run --help' for more information\n"],
  [["--pid", "bogus"], "docker: --pid: invalid PID mode\n\nRun"],
  [["--restart", "bogus"], "docker: invalid restart policy: unknown policy 'bogus'\n\nRun"],
  [["--memory", "abc"], `invalid argument "abc" for "-m, --memory" flag: invalid size: 'abc'\n\nUsage:  docker run`],
  [["--cpus", "x"], 'invalid argument "x" for "--cpus" flag: failed to parse x as a rational number\n\nUsage:'],
])("a value that %p has is refused as docker's client does", (words, start) => {
  expect(refusal(words, DOCKER_FAILURES)).toStartWith(start)
})
