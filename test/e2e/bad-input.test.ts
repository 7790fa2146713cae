/** Bad input gets one clear error and the right exit code; nothing is made before it is refused. One user is enough. */
import { describe, expect, test } from "bun:test"
import { openStore } from "../support/store.ts"

const skiff = openStore()

const table: { args: string[]; code: number; says: RegExp }[] = [
  { args: ["run", "--nmae", "x", "busybox"], code: 125, says: /--nmae.*\n.*--name/s },
  { args: ["run"], code: 1, says: /IMAGE|argument/i },
  { args: ["rnu", "busybox"], code: 1, says: /rnu.*\n?.*run/s },
  { args: ["ps", "--al"], code: 125, says: /--al/ },
  { args: ["run", "--name", "bad name", "busybox"], code: 125, says: /bad name/ },
  { args: ["run", "--name", "../x", "busybox"], code: 125, says: /\.\.\/x/ },
  { args: ["run", "BusyBox"], code: 125, says: /BusyBox/ },
  { args: ["run", "busybox@sha256:../../x"], code: 125, says: /sha256/ },
  { args: ["run", "-p", "99999:80", "busybox"], code: 125, says: /99999/ },
  { args: ["run", "-p", "80-82:80-81", "busybox"], code: 125, says: /80-82/ },
  { args: ["run", "-p", "x:80", "busybox"], code: 125, says: /x/ },
  { args: ["run", "-v", ":/x", "busybox"], code: 125, says: /:\/x/ },
  { args: ["run", "--mount", "type=zzz,dst=/x", "busybox"], code: 125, says: /zzz/ },
  { args: ["run", "--mount", "type=bind,dst=/x", "busybox"], code: 125, says: /source/ },
  { args: ["run", "-e", "=x", "busybox"], code: 125, says: /=x/ },
  { args: ["run", "--env-file", "/no/such", "busybox"], code: 125, says: /\/no\/such/ },
  { args: ["run", "--restart", "x", "busybox"], code: 125, says: /x/ },
  { args: ["run", "--security-opt", "zzz", "busybox"], code: 125, says: /zzz/ },
  { args: ["run", "--device", "/dev/absent", "busybox"], code: 125, says: /\/dev\/absent/ },
  { args: ["run", "--runtime", "absent", "busybox"], code: 125, says: /absent/ },
  { args: ["run", "--log-driver", "zzz", "busybox"], code: 125, says: /zzz/ },
  { args: ["run", "--platform", "a/b/c/d", "busybox"], code: 125, says: /a\/b\/c\/d/ },
  { args: ["run", "--pull", "zzz", "busybox"], code: 125, says: /zzz/ },
  { args: ["run", "-u", "4294967296", "busybox"], code: 125, says: /4294967296/ },
  { args: ["run", "-u", "-1", "busybox"], code: 125, says: /-1/ },
  { args: ["run", "-w", "relative", "busybox"], code: 125, says: /relative/ },
  {
    args: ["run", "--sysctl", "kernel.shm_rmid_forced=1+kernel.core_pattern=|/x", "busybox"],
    code: 125,
    says: /sysctl|kernel/,
  },
  { args: ["run", "--add-host", "nowhere", "busybox"], code: 125, says: /nowhere/ },
  { args: ["run", "--dns", "not-an-address", "busybox"], code: 125, says: /not-an-address/ },
  { args: ["run", "--stop-signal", "SIGNOT", "busybox"], code: 125, says: /SIGNOT/ },
  { args: ["create", "--ulimit", "zzz=1", "busybox"], code: 125, says: /zzz/ },
  { args: ["start", "absent"], code: 1, says: /absent/ },
  { args: ["stop", "absent"], code: 1, says: /absent/ },
  { args: ["rm", "absent"], code: 1, says: /absent/ },
  { args: ["logs", "absent"], code: 1, says: /absent/ },
  { args: ["exec", "absent", "true"], code: 125, says: /absent/ },
  { args: ["attach", "absent"], code: 1, says: /absent/ },
  { args: ["wait", "absent"], code: 1, says: /absent/ },
  { args: ["top", "absent"], code: 1, says: /absent/ },
  { args: ["port", "absent"], code: 1, says: /absent/ },
  { args: ["kill", "absent"], code: 1, says: /absent/ },
  { args: ["rename", "absent", "x"], code: 1, says: /absent/ },
  { args: ["pull", "https://example.test/x"], code: 1, says: /https/ },
  { args: ["pull", "127.0.0.1:1/a/b:1"], code: 1, says: /127\.0\.0\.1:1/ },
  { args: ["images", "--format", "{{.Nope}}"], code: 1, says: /Nope/ },
  { args: ["ps", "--format", "{{"], code: 1, says: /./ },
  { args: ["ps", "--filter", "zzz=1"], code: 1, says: /zzz/ },
]

describe("refused", () => {
  for (const { args, code, says } of table)
    test(`skiff ${args.join(" ")}`, async () => {
      const outcome = await skiff.run(args)
      expect(outcome).toMatchObject({ code, stdout: "" })
      expect(outcome.stderr).toMatch(says)
      expect(outcome.stderr).toMatch(/^skiff: /)
      expect(outcome.stderr).not.toMatch(/^\s+at .*[:(]\d+/m) // no stack trace
    })
})

test("nothing runs of all this; what docker would leave as created goes by rm", async () => {
  const states = (await skiff.ok("ps", "-a", "--format", "{{.State}}")).split("\n").filter(Boolean)
  expect(states.filter((state) => state !== "created")).toEqual([])
})
