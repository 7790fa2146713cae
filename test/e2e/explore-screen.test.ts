/**
 * `skiff explore` on a terminal: what a person sees of it, and the terminal as it was after every way out.
 *
 * One user is enough.
 */
import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { needPrograms } from "../support/programs.ts"
import { ScreenModel } from "../support/screen-model.ts"
import { openStore } from "../support/store.ts"
import { openTerminal, type Terminal } from "../support/terminal.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

const ROWS = 30
const COLUMNS = 140
/** Tells the terminal's name first, and its mode last. */
const TELLING = `stty rows ${ROWS} cols ${COLUMNS}; tty; trap 'echo "code:$?"; printf "mode:"; stty -a | grep -o -e "-*icanon" -e "-*echo " | tr -d "\\n"; echo' EXIT; `
const ESC = "\x1b"

/** A terminal that is looked at as a person does. */
class Watched {
  readonly terminal: Terminal
  #seen = 0
  #size = { rows: ROWS, columns: COLUMNS }

  constructor(terminal: Terminal) {
    this.terminal = terminal
  }

  get model(): ScreenModel {
    const model = new ScreenModel(this.#size.rows, this.#size.columns)
    if (this.#seen > 0) model.feed("\x1b[?1049h")
    model.feed(this.terminal.screen().slice(this.#seen))
    return model
  }

  get device(): string {
    return /\/dev\/pts\/\d+/.exec(this.terminal.screen())?.[0] ?? ""
  }

  async shows(...texts: (string | RegExp)[]): Promise<void> {
    await eventually(() => {
      const { text } = this.model
      for (const wanted of texts) expect(text).toMatch(wanted)
    })
  }

  async showsNot(text: string): Promise<void> {
    await eventually(() => expect(this.model.text).not.toContain(text))
  }

  async types(text: string, ...shown: (string | RegExp)[]): Promise<void> {
    this.terminal.type(text)
    await this.shows(...shown)
  }

  resize(rows: number, columns: number): void {
    this.#seen = this.terminal.screen().length
    this.#size = { rows, columns }
    spawnSync("stty", ["-F", this.device, "rows", String(rows), "cols", String(columns)])
  }

  /** The screen is the one that was there before, and nothing of ours is left on. */
  async isRestored(): Promise<ScreenModel> {
    await this.terminal.sees(/mode:icanonecho /)
    const model = new ScreenModel(200, 400)
    model.feed(this.terminal.screen())
    expect(model.unknown).toEqual([])
    expect(model.hasAlternateScreen).toBe(false)
    expect([...model.modes].toSorted((a, b) => a - b)).toEqual([7, 25])
    return model
  }
}

async function explore(): Promise<Watched> {
  const watched = new Watched(openTerminal(skiff, ["explore", "busybox"], TELLING))
  await watched.shows("┃ ● Layers ┣", "Current Layer Contents", "Image Details", /Image efficiency score: \d+ %/)
  return watched
}

test("a person moves, folds, filters, hides, views and resizes, and quits by q", async () => {
  const screen = await explore()
  await screen.shows("Permission     UID:GID       Size  Filetree", /busybox/, /Id: [0-9a-f]{64}/)
  await screen.types("\t", "┃ ● Current Layer Contents ┣")
  await screen.types("\x00", "─⊕ bin")
  await screen.types(" ", /── bin[^]*busybox/)
  await screen.types("\x06", "Filter:")
  await screen.types("bin/busy", "Filter: bin/busy", "busybox")
  await screen.types("\r")
  await screen.types(ESC)
  await screen.showsNot("Filter:")
  await screen.types("\x15", "nothing is shown: unmodified hidden")
  await screen.types("\x15", "── bin")
  await screen.types("/busybox$\r", /"busybox\$": 1 of \d/)
  await screen.types("\r", "00000000  7f 45 4c 46", "/bin/busybox of layer 1")
  await screen.types(ESC, "Layer Details")
  await screen.types("\x05", "Extract to: ./busybox")
  await screen.types("\r", "extracted to")
  expect(readFileSync(join(skiff.directory, "busybox")).subarray(1, 4).toString()).toBe("ELF")

  screen.resize(24, 80)
  await screen.shows("Layer Details", "Current Layer Contents")
  screen.resize(5, 20)
  await screen.shows("too small: 20×5")
  screen.resize(100, 300)
  await screen.shows("Layer Details", "Permission")
  expect(screen.model.unknown).toEqual([])

  screen.terminal.type("q")
  const { mainText } = await screen.isRestored()
  expect(mainText).toContain("code:0")
  expect(await screen.terminal.exited).toBe(0)
})

test("^C quits; SIGTERM and SIGHUP end it: the terminal is as before", async () => {
  const quit = await explore()
  quit.terminal.type("\x03")
  expect((await quit.isRestored()).mainText).toContain("code:0")
  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    const screen = await explore()
    const { stdout } = spawnSync("pgrep", ["-t", screen.device.replace("/dev/", ""), "-f", "explore busybox"])
    const pids = stdout
      .toString()
      .split("\n")
      .filter((pid) => pid !== "" && isSkiff(pid))
    expect(pids.length).toBe(1)
    process.kill(Number(pids[0]), signal)
    expect((await screen.isRestored()).mainText).toContain(`code:${code}`)
  }
})

function isSkiff(pid: string): boolean {
  return existsSync(`/proc/${pid}/exe`) && readFileSync(`/proc/${pid}/comm`, "utf8").trim().startsWith("skiff")
}

test("^Z gives the terminal back to the shell, fg paints the screen anew", async () => {
  needPrograms("bash")
  const shell = `exec env PS1='ready> ' bash --norc --noprofile -i; `
  const watched = new Watched(openTerminal(skiff, ["version"], `stty rows ${ROWS} cols ${COLUMNS}; ${shell}`))
  await watched.terminal.sees(/ready> /)
  const words = skiff.command(["explore", "busybox"]).join(" ")
  watched.terminal.type(`${words}\r`)
  await watched.shows("┃ ● Layers ┣", "Layer Details")
  watched.terminal.type("\x1a")
  await watched.terminal.sees(/Stopped[^]*ready> /)
  watched.terminal.type("stty -a | grep -o -e '-*icanon'; echo as''ked\r")
  await watched.terminal.sees(/(?<!-)icanon\r[^]*asked\r/)
  const before = watched.terminal.screen().length
  watched.terminal.type("fg\r")
  await eventually(() => expect(watched.terminal.screen().slice(before)).toContain("Layer Details"))
  await watched.shows("┃ ● Layers ┣", "Layer Details")
  watched.terminal.type("q")
  await eventually(() => expect(watched.model.hasAlternateScreen).toBe(false))
  watched.terminal.type("exit\r")
  expect(await watched.terminal.exited).toBe(0)
})

test("without a screen to paint on it prints, and NO_COLOR takes the colours", async () => {
  const plain = new Watched(openTerminal(skiff, ["explore", "busybox"], `export NO_COLOR=1; ${TELLING}`))
  await plain.shows("┃ ● Layers ┣", "++")
  expect(plain.model.lookOf("Layers")).toBe("1")
  // oxlint-disable-next-line no-control-regex
  expect(plain.terminal.screen()).not.toMatch(/\x1b\[[\d;]*[34]\dm/)
  plain.terminal.type("q")
  await plain.isRestored()
  const dumb = openTerminal(skiff, ["explore", "busybox"], `export TERM=dumb; ${TELLING}`)
  await dumb.sees(/code:0/)
  expect(dumb.screen()).not.toContain(ESC)
})
