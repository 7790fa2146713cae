import { formatSize } from "../../base/sizes.ts"
import type { ExploredLayer } from "../../explore/explore.ts"
import type { Area, Frame } from "../screen/frame.ts"
import { fitted } from "../screen/glyphs.ts"
import { PLAIN, type Style } from "../screen/style.ts"
import { LAYERS_HEAD } from "./layout.ts"
import { drawField, drawTitle, LOOKS } from "./looks.ts"
import { pathText } from "./raw-text.ts"
import { comparedSince, type ExploreState } from "./state.ts"

const SIZE_COLUMNS = 9
const COUNT_COLUMNS = 5
const SPACE_COLUMNS = 12

/** Layers, lowest first: which are compared with which, what each costs and what made it. */
export function drawLayers(frame: Frame, area: Area, state: ExploreState): void {
  const isFocused = state.focus === "layers"
  const end = area.column + area.columns
  drawTitle(frame, area, "Layers", isFocused)
  frame.write(area.row + 1, area.column, `Cmp ${"Size".padStart(SIZE_COLUMNS)}  Command`, LOOKS.head, end)
  const since = comparedSince(state.layer, state.isAggregated)
  for (let line = LAYERS_HEAD; line < area.rows; line++) {
    const layer = state.image.layers[state.layerTop + line - LAYERS_HEAD]
    if (!layer) return
    const row = area.row + line
    const [mark, look] = compareMark(layer.index, since, state)
    frame.write(row, area.column, mark, look, end)
    const isChosen = layer.index === state.layer
    const chosen = isFocused ? LOOKS.chosen : LOOKS.chosenElsewhere
    const text = ` ${formatSize(layer.sizeBytes).padStart(SIZE_COLUMNS)}  ${layer.command}`
    const width = area.columns - mark.length - 1
    frame.write(row, area.column + mark.length, " ")
    frame.write(row, area.column + mark.length + 1, fitted(text, width).padEnd(width), isChosen ? chosen : PLAIN, end)
  }
}

function compareMark(index: number, since: number, { layer, hasColour }: ExploreState): [string, Style] {
  if (index > layer) return ["  ", PLAIN]
  const isChange = index >= since
  if (hasColour) return ["  ", isChange ? LOOKS.changes : LOOKS.below]
  return [isChange ? "++" : "==", PLAIN]
}

/** What is known of the chosen layer. */
export function drawDetails(frame: Frame, area: Area, state: ExploreState): void {
  drawTitle(frame, area, "Layer Details", false)
  const layer = state.image.layers[state.layer]
  if (!layer) return
  let row = area.row + 1
  row = drawField(frame, area, row, "Tags:", tagsOf(state, layer))
  row = drawField(frame, area, row, "Id:", layer.id)
  row = drawField(frame, area, row, "Digest:", layer.digest ?? layer.diffId)
  const { dockerfileLine } = layer
  if (dockerfileLine) row = drawField(frame, area, row, "Line:", `${dockerfileLine.file}:${dockerfileLine.line}`)
  drawField(frame, area, row, "Command:", dockerfileLine?.text ?? layer.createdBy, area.row + area.rows - row - 1)
}

/** The uppermost layer is what the image's names mean. */
function tagsOf({ image }: ExploreState, layer: ExploredLayer): string {
  const isUppermost = layer.index === image.layers.length - 1
  return isUppermost && image.tags.length > 0 ? image.tags.join(", ") : "(unavailable)"
}

/** What the image costs, and which paths cost more than they had to. */
export function drawImage(frame: Frame, area: Area, state: ExploreState): void {
  drawTitle(frame, area, "Image Details", false)
  const { figures, image } = state
  const end = area.column + area.columns
  let row = area.row + 1
  row = drawField(frame, area, row, "Image name:", image.name)
  const size = figures?.sizeBytes ?? image.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0)
  row = drawField(frame, area, row, "Total Image size:", formatSize(size))
  row = drawField(frame, area, row, "Potential wasted space:", figures ? formatSize(figures.wastedBytes) : "…")
  const percent = figures ? `${Math.floor(figures.efficiency * 100)} %` : "…"
  row = drawField(frame, area, row, "Image efficiency score:", percent)
  if (row >= area.row + area.rows) return
  const head = `${"Count".padEnd(COUNT_COLUMNS)} ${"Total Space".padStart(SPACE_COLUMNS)}  Path`
  frame.write(row++, area.column, head, LOOKS.head, end)
  for (const { count, sizeBytes, path } of figures?.inefficiencies.slice(0, area.rows) ?? []) {
    if (row >= area.row + area.rows) return
    const start = `${String(count).padEnd(COUNT_COLUMNS)} ${formatSize(sizeBytes).padStart(SPACE_COLUMNS)}  `
    frame.write(row++, area.column, fitted(start + pathText(path), area.columns), PLAIN, end)
  }
}
