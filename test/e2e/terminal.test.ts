/** run -it, exec -it, attach: raw mode, size, detaching, exit codes. One user is enough. */
import { expect, test } from "bun:test"
import { openStore } from "../support/store.ts"
import { openTerminal } from "../support/terminal.ts"

const skiff = openStore()
const PROMPT = /\/ # /

test("run -it is a terminal inside, and keeps the exit code", async () => {
  const terminal = openTerminal(skiff, ["run", "--rm", "-it", "busybox", "sh"])
  await terminal.sees(PROMPT)
  terminal.type("tty; test -t 0 && test -t 1 && echo is-a-terminal\r")
  await terminal.sees(/\/dev\/(pts\/0|console)/)
  await terminal.sees(/is-a-terminal\r\n/)
  terminal.type("exit 6\r")
  expect(await terminal.exited).toBe(6)
})

test("Ctrl-C goes to the program, not to skiff", async () => {
  const terminal = openTerminal(skiff, [
    "run",
    "--rm",
    "-it",
    "busybox",
    "sh",
    "-c",
    "trap 'echo caught; exit 8' INT; echo ready; while :; do sleep 0.1; done",
  ])
  await terminal.sees(/ready/)
  terminal.type("\u0003")
  await terminal.sees(/caught/)
  expect(await terminal.exited).toBe(8)
})

test("the size is the caller's, and follows it", async () => {
  const terminal = openTerminal(
    skiff,
    ["run", "--rm", "-it", "--name", "sized", "busybox", "sh"],
    "stty rows 33 cols 101; ",
  )
  await terminal.sees(PROMPT)
  terminal.type("stty size\r")
  await terminal.sees(/33 101/)
  terminal.type("exit\r")
  expect(await terminal.exited).toBe(0)
})

test("Ctrl-P Ctrl-Q detaches; attach comes back; the program ran on", async () => {
  const terminal = openTerminal(skiff, ["run", "-it", "--name", "left", "busybox", "sh"])
  await terminal.sees(PROMPT)
  terminal.type("kept=value\r")
  await terminal.sees(/kept=value\r\n.*# /s)
  terminal.type("\u0010\u0011")
  expect(await terminal.exited).toBe(0)
  expect((await skiff.inspect("left")).State.Status).toBe("running")
  const until = `${(Date.now() + 1) / 1000}`
  const told = await skiff.ok("events", "--since", "1h", "--until", until, "-f", "container=left", "-f", "event=detach")
  expect(told).toContain(" container detach ")

  const back = openTerminal(skiff, ["attach", "left"])
  await new Promise((resolve) => setTimeout(resolve, 500))
  back.type("echo $kept-there\r")
  await back.sees(/value-there/)
  back.type("exit 4\r")
  expect(await back.exited).toBe(4)
  await skiff.ok("rm", "left")
})

test("exec -it gives a second terminal", async () => {
  await skiff.ok("run", "-d", "--name", "host", "busybox", "sleep", "60")
  const terminal = openTerminal(skiff, ["exec", "-it", "host", "sh"])
  await terminal.sees(PROMPT)
  terminal.type("tty && stty size\r")
  await terminal.sees(/\/dev\/(pts\/\d|console)/)
  terminal.type("exit 5\r")
  expect(await terminal.exited).toBe(5)
  await skiff.ok("rm", "-f", "host")
})

test("-t without a terminal still gives the program one", async () => {
  const { stdout } = await skiff.run(["run", "--rm", "-t", "busybox", "sh", "-c", "test -t 1 && echo yes"])
  expect(stdout).toBe("yes\r\n")
})

test("-it without a terminal is refused, as docker does", async () => {
  const { code, stderr } = await skiff.run(["run", "--rm", "-it", "busybox", "true"], { stdin: "x" })
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/terminal|TTY/)
})
