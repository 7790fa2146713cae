import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ScreenModel } from "../../../test/support/screen-model.ts"
import { openLayers, type TestEntry } from "../../explore/explore.suite.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import type { ExploredImage } from "../../explore/explore.ts"
import { InputDecoder } from "../input/decode-input.ts"
import { paint } from "../screen/paint.ts"
import type { ScreenSize } from "../screen/size.ts"
import type { Frame } from "../screen/frame.ts"
import type { ExploreEffect, ExploreEvent } from "./effects.ts"
import { ExplorePerformer } from "./perform.ts"
import { defaultSettings, type ExploreSettings } from "./settings.ts"
import { startState, type ExploreState } from "./state.ts"
import { update } from "./update.ts"
import { view } from "./view.ts"

const LAYERS: readonly (readonly TestEntry[])[] = [
  [
    { name: "bin/" },
    { name: "bin/sh", text: "#!shell", mode: 0o4755 },
    { name: "bin/ash", type: "symlink", linkName: "sh" },
    { name: "etc/" },
    { name: "etc/passwd", text: "root:x:0:0\nuser:x:1:1\n" },
    { name: "etc/gone", text: "soon gone" },
    { name: "var/" },
    { name: "var/big", text: "b".repeat(5000) },
  ],
  [{ name: "etc/" }, { name: "etc/passwd", text: "root:x:0:0\nnew:x:2:2\n" }, { name: "etc/.wh.gone" }],
  [
    { name: "srv/" },
    { name: "srv/log", text: Array.from({ length: 24_000 }, (_, line) => `line ${line} of the log\n`).join("") },
    { name: "srv/added\x1b[2J-and-longer-than-a-narrow-tree", text: "evil" },
    { name: rawName("srv/漢字"), text: "wide" },
  ],
]

let image: ExploredImage
let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "explore-screen-"))
  const history = ["ADD rootfs /", "RUN change /etc", "COPY \x1b[31mred /srv"].map((created_by) => ({ created_by }))
  image = await openLayers(LAYERS, { history })
})
afterAll(async () => {
  await image[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

/** A person at the screen: what is typed goes through decoder, update, effects, view and painter. */
class Person {
  readonly model: ScreenModel
  readonly #performer: ExplorePerformer
  readonly #decoder = new InputDecoder()
  #shown: Frame | undefined
  #pending: Promise<void>[] = []
  state: ExploreState
  hasQuit = false
  readonly #hasColour: boolean

  constructor(
    size: ScreenSize = { rows: 24, columns: 140 },
    settings: ExploreSettings = defaultSettings(),
    hasColour = true,
  ) {
    this.model = new ScreenModel(size.rows, size.columns)
    this.model.feed("\x1b[?1049h")
    this.#performer = new ExplorePerformer(image, directory)
    this.#hasColour = hasColour
    this.state = startState(image, settings, size, hasColour)
    this.#perform([{ kind: "figures" }])
    this.#paint()
  }

  async types(...texts: string[]): Promise<string> {
    for (const text of texts) {
      for (const event of [...this.#decoder.feed(Buffer.from(text)), ...this.#decoder.flush()]) this.#take(event)
      while (this.#pending.length > 0) await Promise.all(this.#pending.splice(0))
    }
    return this.screen
  }

  get screen(): string {
    expect(this.model.unknown).toEqual([])
    return this.model.text
  }

  /** The right half, where the tree is. */
  get tree(): string {
    return this.screen
      .split("\n")
      .map((line) => line.slice(this.model.columns / 2))
      .join("\n")
  }

  resize(size: ScreenSize): string {
    this.model.resize(size.rows, size.columns)
    this.#shown = undefined
    this.#take({ kind: "resize", size })
    return this.screen
  }

  #take(event: Parameters<typeof update>[1]): void {
    const { state, effects } = update(this.state, event)
    this.state = state
    this.#perform(effects)
    this.#paint()
  }

  #perform(effects: ReturnType<typeof update>["effects"]): void {
    for (const effect of effects) {
      if (effect.kind === "quit") this.hasQuit = true
      else if (effect.kind !== "suspend")
        this.#pending.push(this.#performer.perform(effect as ExploreEffect, (event: ExploreEvent) => this.#take(event)))
    }
  }

  #paint(): void {
    const frame = view(this.state)
    this.model.feed(paint(this.#shown, frame, this.#hasColour))
    this.#shown = frame
  }
}

const TAB = "\t"
const ESC = "\x1b"
const DOWN = "\x1b[B"

describe("the views", () => {
  test("layers, details, figures and the tree are on the screen, at 80×24 and 300×100", async () => {
    const person = new Person({ rows: 24, columns: 80 })
    const screen = await person.types("")
    for (const text of [
      "┃ ● Layers ┣━",
      "Cmp      Size  Command",
      "RUN change /etc",
      "│ Layer Details ├─",
      "Tags:",
      "Id: layer-0",
      "│ Image Details ├─",
      "Image name: test",
      "Potential wasted space:",
      "Image efficiency score:",
      "│ Current Layer Contents ├─",
    ])
      expect(screen).toContain(text)
    const wide = person.resize({ rows: 100, columns: 300 })
    expect(wide).toContain("Count  Total Space  Path")
    expect(wide).toMatch(/2 +\d+B {2}\/etc\/passwd/)
    expect(wide).toContain("-rwsr-xr-x         0:0         7B  │   └── sh")
    expect(wide).toContain("└── big")
    expect(wide).toMatch(/ash → sh/)
  })

  test("changes have dive's colours, and marks where there are no colours", async () => {
    const person = new Person()
    await person.types(DOWN)
    expect(person.model.lookOf("passwd")).toBe("33")
    expect(person.model.lookOf("gone")).toBe("31")
    expect(person.model.lookOf("big")).toBe("")
    await person.types(DOWN)
    expect(person.model.lookOf("added\\x1b[2J")).toBe("32")
    expect(person.model.lookOf("passwd")).toBe("")
    await person.types("\x01")
    expect(person.model.lookOf("passwd")).toBe("33")

    const plain = new Person({ rows: 24, columns: 120 }, defaultSettings(), false)
    const screen = await plain.types(DOWN)
    expect(screen).toMatch(/~ -rw-r--r-- .* passwd/)
    expect(screen).toMatch(/- -rw-r--r-- .* gone/)
    expect(screen).toContain("==")
    expect(plain.model.lookOf("passwd")).toBe("")
  })

  test("what an image's names and history hold is text: no escape reaches the terminal", async () => {
    const screen = await new Person().types(DOWN, DOWN)
    expect(screen).toContain("COPY \\x1b[31mred")
    expect(screen).toContain("added\\x1b[2J")
    expect(screen).toContain("漢字")
  })

  test("a screen that is too small says so, and comes back", async () => {
    const person = new Person()
    expect(person.resize({ rows: 5, columns: 20 })).toContain("too small: 20×5, at")
    expect(person.resize({ rows: 10, columns: 40 })).toContain("Layers")
    await person.types(TAB)
    expect(person.screen).toContain("Current Layer Contents")
    expect(person.resize({ rows: 24, columns: 100 })).toContain("Layer Details")
  })
})

describe("keys", () => {
  test("q and ^C quit", async () => {
    for (const key of ["q", "\x03"]) {
      const person = new Person()
      await person.types(key)
      expect(person.hasQuit).toBe(true)
    }
  })

  test("Space folds one directory, ^Space all; arrows go to the parent and into it", async () => {
    const person = new Person()
    expect(await person.types(TAB, " ")).toContain("├─⊕ bin")
    expect(person.screen).not.toContain("ash")
    expect(await person.types("l")).toContain("ash")
    expect(person.state.files.cursor?.list[person.state.files.cursor.index]?.path).toBe("bin/ash")
    await person.types("h")
    expect(person.state.files.cursor?.list[person.state.files.cursor.index]?.path).toBe("bin")
    await person.types("\x00")
    const folded = person.tree
    expect(folded).toContain("├─⊕ etc")
    expect(folded).toContain("└─⊕ var")
    expect(folded).not.toContain("passwd")
    await person.types("\x00")
    expect(person.tree).toContain("passwd")
  })

  test("^A ^R ^M ^U hide what was added, removed, modified, and what was not changed", async () => {
    const person = new Person()
    await person.types(DOWN, TAB)
    await person.types("\x12")
    expect(person.tree).not.toContain("gone")
    await person.types("\x15")
    expect(person.tree).not.toContain("big")
    expect(person.tree).toContain("passwd")
    await person.types("\x1b[H", "\r")
    expect(person.tree).not.toContain("passwd")
    await person.types("\x1b[109;5u")
    expect(person.tree).toContain("passwd")
  })

  test("^B hides the attributes, ^O sorts by size", async () => {
    const person = new Person()
    expect(await person.types(TAB, "\x02")).not.toContain("Permission")
    const screen = await person.types("\x0f")
    expect(screen.indexOf(" var")).toBeLessThan(screen.indexOf(" bin"))
  })

  test("^P wraps names that are too long, and every line of them is there", async () => {
    const person = new Person({ rows: 24, columns: 60 })
    await person.types(DOWN, DOWN, TAB, "\x1b[F")
    expect(person.tree).toContain("…")
    await person.types("\x10")
    expect(person.tree).not.toContain("…")
    expect(person.tree).toContain("tree")
  })

  test("Home, End and pages move through the whole tree", async () => {
    const person = new Person({ rows: 10, columns: 100 })
    expect(await person.types(TAB, "\x1b[F")).toContain("big")
    expect(await person.types("\x1b[H")).toContain("bin")
    await person.types("\x1b[6~")
    await person.types("\x1b[6~")
    expect(person.state.files.cursor?.list[person.state.files.cursor.index]?.path).toBe("var/big")
  })

  test("? shows every key with the name that settings have for it", async () => {
    const person = new Person({ rows: 60, columns: 100 })
    expect(await person.types("?")).toMatch(/\^F, \^\/ +Filter +keybinding.filter-files/)
    expect(await person.types(ESC)).toContain("Layers")
  })
})

describe("the filter", () => {
  test("^F shows what an expression finds, as it is typed; Esc ends it", async () => {
    const person = new Person()
    const screen = await person.types("\x06", "pass")
    expect(screen).toContain("Filter: pass")
    expect(screen).toContain("passwd")
    expect(screen).not.toContain("big")
    expect(await person.types("wd$", "\r")).toContain("Filter: passwd$")
    expect(person.tree).not.toContain("gone")
    await person.types(ESC)
    expect(person.tree).toContain("gone")
    expect(person.screen).not.toContain("Filter:")
    expect(person.tree).toContain("bin")
  })

  test("it holds while another layer is chosen", async () => {
    const person = new Person()
    await person.types("\x06", "srv", "\r")
    expect(person.screen).toContain("nothing is found")
    expect(await person.types(DOWN, DOWN)).toContain("漢字")
  })

  test("what is no expression is said, and breaks nothing", async () => {
    const person = new Person()
    expect(await person.types("\x06", "(")).toContain("nvalid regular expression")
    expect(await person.types("a)")).toContain("ash")
  })
})

describe("beyond dive", () => {
  test("/ searches, n and N go on", async () => {
    const person = new Person()
    expect(await person.types("/", "s", "\r")).toContain('"s": 1 of ')
    const first = person.state.files.cursor
    await person.types("n", "N")
    expect(person.state.files.cursor?.index).toBe(first?.index ?? -1)
  })

  test("Enter shows a file, Tab its bytes, and what differs from below", async () => {
    const person = new Person()
    await person.types(DOWN, "/", "passwd", "\r")
    expect(await person.types("\r")).toContain("new:x:2:2")
    expect(person.screen).toContain("/etc/passwd of layer 2")
    expect(await person.types(TAB)).toContain("00000000  72 6f 6f 74 3a 78 3a 30")
    const compared = await person.types(TAB)
    expect(compared).toContain("/etc/passwd: layer 1 → layer 2")
    expect(compared).toContain("- user:x:1:1")
    expect(compared).toContain("+ new:x:2:2")
    expect(person.model.lookOf("+ new")).toBe("32")
    expect(await person.types(ESC)).toContain("Layers")
  })

  test("of a long file the part is read that is shown: to its end, its beginning, and by pages over all of it", async () => {
    const person = new Person()
    await person.types(DOWN, DOWN, "/", "log$", "\r", "\r")
    expect(person.screen).toContain("line 0 of the log")
    expect(await person.types("G")).toContain("line 23999 of the log")
    const page = person.state.page
    expect(page?.kind === "content" && page.block?.bytes.length).toBeLessThanOrEqual(256 * 1024)
    expect(await person.types("g")).toContain("line 0 of the log")
    const seen = new Set<number>()
    const look = () => {
      for (const [, line] of person.screen.matchAll(/line (\d+) of the log/g)) seen.add(Number(line))
    }
    look()
    for (let count = 0; count < 1150; count++) {
      await person.types("d")
      look()
    }
    expect(seen.size).toBeGreaterThan(23_990)
    for (let count = 0; count < 1150; count++) await person.types("u")
    expect(person.screen).toContain("line 0 of the log")
    await person.types("G", "\x1b[A", "\x1b[A")
    expect(person.screen).toContain("line 23990 of the log")
    expect(person.screen).not.toContain("line 23999 of the log")
  }, 30_000)

  test("a removed file shows what it was", async () => {
    const person = new Person()
    expect(await person.types(DOWN, "/", "gone", "\r", "v")).toContain("soon gone")
  })

  test("H shows what each layer did to a file", async () => {
    const person = new Person({ rows: 24, columns: 120 })
    const screen = await person.types("\x1b[B\x1b[B", "/", "passwd", "\r", "H")
    expect(screen).toMatch(/layer {3}1 {2}added .* ADD rootfs/)
    expect(screen).toMatch(/layer {3}2 {2}modified .* RUN change/)
    expect(await person.types("\r")).toContain("user:x:1:1")
  })

  test("^G finds files by what is in them", async () => {
    const person = new Person()
    const screen = await person.types("\x07", "new:x", "\r")
    expect(screen).toContain('Files with "new:x": 0')
    await person.types(ESC, DOWN)
    expect(await person.types("\x07", "new:x", "\r")).toContain("/etc/passwd  at byte 11")
    expect(await person.types("\r")).toContain("root:x:0:0")
  })

  test("^E says where a file goes, and writes over nothing", async () => {
    const person = new Person()
    await person.types("/", "passwd", "\r")
    expect(await person.types("\x05")).toContain("Extract to: ./passwd")
    expect(await person.types("\r")).toContain("extracted to")
    expect(readFileSync(join(directory, "passwd"), "utf8")).toBe("root:x:0:0\nuser:x:1:1\n")
    expect(await person.types("x", "\r")).toContain("is there already")
  })

  test("the mouse chooses, folds and scrolls", async () => {
    const person = new Person()
    await person.types("\x1b[<0;10;4M")
    expect(person.state.layer).toBe(1)
    const row = (await person.types("")).split("\n").findIndex((line) => line.includes("── etc")) + 1
    await person.types(`\x1b[<0;120;${row}M`)
    expect(person.state.focus).toBe("files")
    expect(await person.types(`\x1b[<0;120;${row}M`)).toContain("─⊕ etc")
    await person.types("\x1b[<64;10;3M")
    expect(person.state.layer).toBe(0)
  })
})
