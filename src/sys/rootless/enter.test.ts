import { expect, test } from "bun:test"
import { staysOutside } from "./enter.ts"

const outside = [
  [],
  ["version"],
  ["--version"],
  ["help", "run"],
  ["doctor", "--json"],
  ["completion", "bash"],
  ["run", "--help"],
  ["image", "ls", "--help"],
  ["--root", "/x", "version"],
  ["--debug", "--help"],
  ["compose", "version"],
  ["compose", "-p", "run", "up", "--help"],
]
test.each(outside.map((argv) => [argv]))("%p is answered as the ordinary user", (argv) => {
  expect(staysOutside(argv)).toBe(true)
})

const inside = [
  ["ps"],
  ["--root", "/x", "ps"],
  ["--root", "version", "ps"],
  ["-l", "debug", "run", "busybox", "ls", "--help"],
  ["run", "busybox", "--help"],
  ["exec", "c", "ls", "--help"],
  ["container", "run", "busybox", "--help"],
  ["unshare", "ls", "--help"],
  ["info"],
  ["compose", "-f", "version", "up"],
  ["compose", "-p", "x", "run", "web", "ls", "--help"],
]
test.each(inside.map((argv) => [argv]))("%p enters", (argv) => {
  expect(staysOutside(argv)).toBe(false)
})
