/** Terminals by ioctl: never through process.stdin or process.stdout, whose first touch costs 8 ms. */
import { ptr } from "bun:ffi"
import { readFileSync } from "node:fs"
import { check, lastErrno, libc, SystemError } from "../libc.ts"

/** In characters. */
export interface TerminalSize {
  rows: number
  columns: number
}

const TIOCGWINSZ = 0x5413
const TCSANOW = 0
const TERMIOS_BYTES = 60
const ENOTTY = 25

// termios(3), asm-generic/termbits.h: the same bits on x86-64 and arm64
const IGNBRK_TO_IXON = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000
const OPOST = 0o1
const CSIZE_PARENB = 0o60 | 0o400
const CS8 = 0o60
const ECHO = 0o10
const ECHO_ICANON = 0o10 | 0o2
const ECHO_ICANON_ISIG_IEXTEN = 0o10 | 0o100 | 0o2 | 0o1 | 0o100000
const VTIME = 5
const VMIN = 6
const CC_OFFSET = 17

/** Whether `fd` is a terminal. */
export function isTerminal(fd: number): boolean {
  return libc.tcgetattr(fd, ptr(new Uint8Array(TERMIOS_BYTES))) === 0
}

/** Whether our process group is the one that the terminal listens to. */
export function isForeground(): boolean {
  // proc_pid_stat(5): after the name in parentheses come state, ppid, pgrp, session, tty_nr, tpgid
  const stat = readFileSync("/proc/self/stat", "latin1")
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return group === foreground
}

/** Undefined when `fd` is not a terminal, or has no size yet. */
export function terminalSize(fd: number): TerminalSize | undefined {
  const size = new Uint16Array(4)
  if (libc.ioctl(fd, TIOCGWINSZ, ptr(size)) < 0) {
    const errno = lastErrno()
    if (errno === ENOTTY) return undefined
    throw new SystemError("ioctl", errno, "TIOCGWINSZ")
  }
  const [rows = 0, columns = 0] = size
  return rows === 0 || columns === 0 ? undefined : { rows, columns }
}

/** Calls back at each change of the terminal's size, until disposed. */
export function onResize(callback: () => void): Disposable {
  process.on("SIGWINCH", callback)
  return { [Symbol.dispose]: () => void process.off("SIGWINCH", callback) }
}

/**
 * Raw mode, as cfmakeraw(3) makes it: each key goes to the program as it is typed. Disposing brings the old mode back;
 * so do the end of this process, an uncaught error, and the signals that end it. Safe to dispose twice.
 */
export function enterRawMode(fd: number): Disposable {
  return changeMode(fd, (raw) => {
    const flags = new Uint32Array(raw.buffer, 0, 4)
    const [input = 0, output = 0, control = 0, local = 0] = flags
    flags.set([
      input & ~IGNBRK_TO_IXON,
      output & ~OPOST,
      (control & ~CSIZE_PARENB) | CS8,
      local & ~ECHO_ICANON_ISIG_IEXTEN,
    ])
    raw[CC_OFFSET + VMIN] = 1
    raw[CC_OFFSET + VTIME] = 0
  })
}

/** Each key goes to the program as it is typed, and is not shown; keys that send signals still do. The old mode comes back as `enterRawMode` says. */
export function enterKeyMode(fd: number): Disposable {
  return changeMode(fd, (mode) => {
    const flags = new Uint32Array(mode.buffer, 0, 4)
    flags[3] = (flags[3] ?? 0) & ~ECHO_ICANON
    mode[CC_OFFSET + VMIN] = 1
    mode[CC_OFFSET + VTIME] = 0
  })
}

/** What is typed is not shown: for passwords. The old mode comes back as `enterRawMode` says. */
export function hideTyping(fd: number): Disposable {
  return changeMode(fd, (mode) => {
    const flags = new Uint32Array(mode.buffer, 0, 4)
    flags[3] = (flags[3] ?? 0) & ~ECHO
  })
}

function changeMode(fd: number, change: (termios: Uint8Array<ArrayBuffer>) => void): Disposable {
  const before = new Uint8Array(TERMIOS_BYTES)
  check(libc.tcgetattr(fd, ptr(before)), "tcgetattr", `${fd}`)
  const after = new Uint8Array(before)
  change(after)

  let active = true
  const restore = (): void => {
    if (!active) return
    active = false
    libc.tcsetattr(fd, TCSANOW, ptr(before))
    process.off("exit", restore)
    for (const signal of ENDING) process.off(signal, restoreAndDie)
  }
  const restoreAndDie = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return // somebody else decides what this signal means
    restore()
    process.kill(process.pid, signal) // our handler is off by now: the default ends the process
  }
  process.on("exit", restore)
  for (const signal of ENDING) process.on(signal, restoreAndDie)
  try {
    check(libc.tcsetattr(fd, TCSANOW, ptr(after)), "tcsetattr", `${fd}`)
  } catch (error) {
    restore()
    throw error
  }
  return { [Symbol.dispose]: restore }
}

const ENDING: readonly NodeJS.Signals[] = ["SIGHUP", "SIGTERM", "SIGINT", "SIGQUIT"]
