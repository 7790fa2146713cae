/**
 * The caller's terminal: its mode comes back whatever happens, its size is followed, its keys detach.
 *
 * One user is enough.
 */
import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { openStore } from "../support/store.ts"
import { openTerminal, type Terminal } from "../support/terminal.ts"

const skiff = openStore()

/** Tells the terminal's name first, and its mode last. */
const TELLING = `tty; trap 'printf "mode:"; stty -a | grep -o -e "-*icanon" -e "-*echo " | tr -d "\\n"; echo' EXIT; `
// busybox asks where the cursor is
// oxlint-disable-next-line no-control-regex
const PROMPT = /# (?:\x1b\[(?:6n|J))*$/
const RESTORED = /mode:icanonecho /

async function open(...args: string[]): Promise<{ terminal: Terminal; device: string }> {
  const terminal = openTerminal(skiff, args, TELLING)
  await terminal.sees(PROMPT)
  return { terminal, device: /\/dev\/pts\/\d+/.exec(terminal.screen())?.[0] ?? "" }
}

test("the mode comes back after an end, and after detaching by keys of one's own", async () => {
  const ended = await open("run", "--rm", "-it", "busybox", "sh")
  ended.terminal.type("exit 0\r")
  await ended.terminal.sees(RESTORED)

  const left = await open("run", "-it", "--name", "modes", "--detach-keys", "ctrl-a,d", "busybox", "sh")
  left.terminal.type("\u0001d")
  await left.terminal.sees(RESTORED)
  expect((await skiff.inspect("modes")).State.Status).toBe("running")
  await skiff.ok("rm", "-f", "modes")
})

test("the mode comes back when a signal ends skiff, and the container runs on", async () => {
  const { terminal, device } = await open("run", "-it", "--name", "signalled", "busybox", "sh")
  const found = spawnSync("pgrep", ["-t", device.replace("/dev/", ""), "-x", "skiff"], { encoding: "utf8" })
  const [pid = ""] = found.stdout.trim().split("\n")
  expect(pid).toMatch(/^\d+$/)
  process.kill(Number(pid), "SIGTERM")
  await terminal.sees(RESTORED)
  expect((await skiff.inspect("signalled")).State.Status).toBe("running")
  await skiff.ok("rm", "-f", "signalled")
})

test("a new size of the terminal reaches the program while it runs", async () => {
  const { terminal, device } = await open("run", "--rm", "-it", "busybox", "sh")
  spawnSync("stty", ["-F", device, "rows", "41", "cols", "97"])
  await new Promise((resolve) => setTimeout(resolve, 300))
  terminal.type("stty size\r")
  await terminal.sees(/41 97/)
  terminal.type("exit\r")
  expect(await terminal.exited).toBe(0)
})

test("half of the detach keys is a key like any other", async () => {
  const { terminal } = await open("run", "--rm", "-it", "busybox", "sh")
  // when it says so, the shell has left its line editor's mode, in which Ctrl-D would be a character
  terminal.type("echo re''ady; cat -v\r")
  await terminal.sees(/ready\r\n/)
  terminal.type("\u0010x\r\u0004")
  await terminal.sees(/\^Px\r\n/)
  await terminal.sees(PROMPT)
  terminal.type("exit 3\r")
  expect(await terminal.exited).toBe(3)
})

test("Ctrl-C ends the program of -t without -i", async () => {
  const script = "trap 'echo caught; exit 8' INT; echo ready; while :; do sleep 0.1; done"
  const terminal = openTerminal(skiff, ["run", "--rm", "-t", "busybox", "sh", "-c", script], "exec ")
  await terminal.sees(/ready/)
  terminal.type("\u0003")
  await terminal.sees(/caught/)
  expect(await terminal.exited).toBe(8)
})
