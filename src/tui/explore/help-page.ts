import { PLAIN, style } from "../screen/style.ts"
import { shownKey } from "../input/key-name.ts"
import { ACTION_NAMES, ACTIONS, type Bindings, type Place } from "./bindings.ts"
import type { LinesPage } from "./page.ts"

const HEADS: Readonly<Record<Place, string>> = {
  everywhere: "Everywhere",
  views: "Layers and files",
  layers: "Layers",
  files: "Files",
}

/** All keys, and the names by which settings change them. */
export function helpPage(bindings: Bindings): LinesPage {
  const head = style({ bold: true })
  const lines = []
  for (const place of Object.keys(HEADS) as Place[]) {
    lines.push({ text: HEADS[place], style: head })
    const keys = ACTION_NAMES.filter((name) => ACTIONS[name].place === place).map((name) => ({
      text: `  ${bindings[name].map(shownKey).join(", ").padEnd(16)} ${ACTIONS[name].label.padEnd(20)} keybinding.${name}`,
      style: PLAIN,
    }))
    lines.push(...keys, { text: "", style: PLAIN })
  }
  const more = [
    {
      text: "Of a file that is looked at, Tab shows text, bytes, and what differs from the layers below.",
      style: PLAIN,
    },
    { text: "^M is Enter in most terminals: on a directory it hides and shows modified files.", style: PLAIN },
    { text: "The mouse chooses, opens directories, and scrolls.", style: PLAIN },
  ]
  return { kind: "lines", title: "Keys", lines: [...lines, ...more], top: 0, left: 0 }
}
