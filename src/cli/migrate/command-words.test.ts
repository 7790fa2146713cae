import { expect, test } from "bun:test"
import run from "../commands/container/run.ts"
import { commandWords } from "./command-words.ts"
import { parseForeignContainer } from "./foreign-container.ts"
import { hostConfigWords } from "./host-config-words.ts"

const words = (line: string) => commandWords(line.split(" "), run.flags)

test.each([
  ["podman run -d --rm --name web -p 80:80 app sh -c x", "-p 80:80"],
  ["podman --root /s create -v data:/d -e A=B --env-file x --sysctl=a=b app -p 1", "--sysctl=a=b"],
  ["podman run -dit --replace --pull=newer app", "-i -t"],
  [
    "/usr/bin/podman container run --network net:ip=10.0.0.2 --cap-add X -- app",
    "--network net:ip=10.0.0.2 --cap-add X",
  ],
])("%s keeps the flags that its document does not tell better", (line, kept) => {
  expect(words(line)?.join(" ")).toBe(kept)
})

test("a command line of another verb, or with a flag that is not known here, is not used", () => {
  expect(words("podman kube play x.yaml")).toBeUndefined()
  expect(words("podman run --no-such-flag x app")).toBeUndefined()
  expect(commandWords([], run.flags)).toBeUndefined()
})

test("what is said of a container without a command line becomes flags; what none says is told", () => {
  const { words: made, notes } = hostConfigWords(
    parseForeignContainer({
      Id: "ab".repeat(32),
      Name: "/web",
      Image: "sha256:x",
      Mounts: null,
      Config: { Hostname: "ab".repeat(6), StopSignal: 15, Healthcheck: { Test: ["CMD", "a", "b"], Retries: 2 } },
      HostConfig: {
        NetworkMode: "slirp4netns",
        PortBindings: { "53/udp": [{ HostIp: "::1", HostPort: "" }], "80/tcp": null },
        Ulimits: [{ Name: "RLIMIT_NOFILE", Soft: 1, Hard: 2 }],
        Devices: [{ PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse", CgroupPermissions: "rwm" }],
        SecurityOpt: ["no-new-privileges", "label=disable", 'seccomp={"defaultAction":"x"}'],
        LogConfig: { Type: "fluentd", Config: { a: "b" } },
        NanoCpus: 1_500_000_000,
        MemorySwappiness: null,
        PidMode: "host",
      },
    }),
  )
  expect(made).toEqual([
    "--pid=host",
    "--cpus=1.5",
    "--publish=[::1]::53/udp",
    "--ulimit=nofile=1:2",
    "--device=/dev/fuse:/dev/fuse:rwm",
    "--security-opt=no-new-privileges",
    "--stop-signal=15",
    '--health-cmd=["a","b"]',
    "--health-retries=2",
  ])
  expect(notes).toHaveLength(3)
})
