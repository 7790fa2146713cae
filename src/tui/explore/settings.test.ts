import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { actionOf } from "./bindings.ts"
import { readExploreSettings } from "./settings.ts"

let home: string
beforeEach(() => (home = mkdtempSync(join(tmpdir(), "explore-settings-"))))
afterEach(() => rmSync(home, { recursive: true }))

function put(path: string, text: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
}

const read = (env: Record<string, string> = {}) => readExploreSettings({ HOME: home, ...env })

test("without a file, keys and views are as dive has them", () => {
  const { bindings, ...rest } = read()
  expect(rest).toEqual({
    hidden: [],
    collapseDirectories: false,
    filesWidth: 0.5,
    showAttributes: true,
    showAggregatedChanges: false,
  })
  expect(bindings["filter-files"]).toEqual(["ctrl+f", "ctrl+/"])
  expect(actionOf(bindings, "ctrl+a", "layers")).toBe("compare-all")
  expect(actionOf(bindings, "ctrl+a", "files")).toBe("toggle-added-files")
  expect(actionOf(bindings, "ctrl+a", "page")).toBeUndefined()
})

test("dive's file is read, with several keys by comma and tables or dots", () => {
  put(
    ".config/dive/dive.yaml",
    `container-engine: podman
ignore-errors: false
log: {enabled: true}
keybinding:
  quit: ctrl+q
  toggle-view: tab, w
  toggle-unchanged-files: ctrl+n
diff:
  hide: [added, unchanged]
filetree.pane-width: 0.3
filetree: {collapse-dir: true, show-attributes: false}
layer: {show-aggregated-changes: true}
`,
  )
  const settings = read()
  expect(settings).toMatchObject({
    hidden: ["added", "unmodified"],
    collapseDirectories: true,
    filesWidth: 0.3,
    showAttributes: false,
    showAggregatedChanges: true,
  })
  expect(settings.bindings.quit).toEqual(["ctrl+q"])
  expect(settings.bindings["toggle-view"]).toEqual(["tab", "w"])
  expect(settings.bindings["toggle-unmodified-files"]).toEqual(["ctrl+n"])
})

test("the first of dive's places counts, and what our own file says counts more", () => {
  put(".dive.yml", "keybinding: {quit: ctrl+x, help: f2}")
  expect(read().bindings.quit).toEqual(["ctrl+x"])
  put("xdg/dive/a.yaml", "keybinding: {quit: ctrl+d}")
  expect(read({ XDG_CONFIG_HOME: join(home, "xdg") }).bindings.quit).toEqual(["ctrl+d"])
  put("xdg/skiff/explore.yaml", "keybinding: {quit: ctrl+e}\nfiletree: {pane-width: 0.7}")
  const settings = read({ XDG_CONFIG_HOME: join(home, "xdg") })
  expect(settings.bindings.quit).toEqual(["ctrl+e"])
  expect(settings.filesWidth).toBe(0.7)
})

test.each([
  ["keybinding: {quit: hyper+q}", /is no key/],
  ["keybinding: [quit]", /keybinding/],
  ["filetree: {pane-width: 2}", /filetree.pane-width: 2/],
  ["diff: {hide: [everything]}", /diff.hide: "everything"/],
  ["layer: {show-aggregated-changes: maybe}", /show-aggregated-changes/],
  ["{", /is not YAML/],
  ["- a", /no table/],
])("%j is refused, with the file's name", (text, why) => {
  put(".dive.yaml", text)
  const failure = (() => {
    try {
      return read()
    } catch (error) {
      return error
    }
  })()
  expect(failure).toMatchObject({ code: "InvalidArgument" })
  expect((failure as Error).message).toMatch(why)
  expect((failure as Error).message).toContain(".dive.yaml")
})

test("an empty file says nothing", () => {
  put(".dive.yaml", "")
  expect(read().filesWidth).toBe(0.5)
})
