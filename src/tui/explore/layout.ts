import type { Area } from "../screen/frame.ts"
import type { ExploreState } from "./state.ts"

/** Where each part of the screen is. */
export interface Layout {
  /** Less room than that can show nothing that helps. */
  isTooSmall: boolean
  layers: Area | undefined
  details: Area | undefined
  image: Area | undefined
  files: Area | undefined
  /** The line that is typed, or the filter that holds; without it there is none. */
  line: Area | undefined
  status: Area
  /** Of what lies over the views. */
  page: Area
}

export const LEAST = { rows: 8, columns: 30 }
/** With less only the view is shown that keys go to. */
const BOTH_COLUMNS = 60
/** Title and head. */
export const LAYERS_HEAD = 2
const DETAILS_LEAST = 6
const DETAILS_MOST = 9
const IMAGE_LEAST = 7

export function layoutOf(
  state: Pick<ExploreState, "size" | "focus" | "edit" | "filter" | "image" | "settings">,
): Layout {
  const { rows, columns } = state.size
  const hasLine = state.edit !== undefined || state.filter !== undefined
  const height = rows - 1 - (hasLine ? 1 : 0)
  const whole = (row: number, count: number): Area => ({ row, column: 0, rows: count, columns })
  const layout: Layout = {
    isTooSmall: rows < LEAST.rows || columns < LEAST.columns,
    layers: undefined,
    details: undefined,
    image: undefined,
    files: undefined,
    line: hasLine ? whole(rows - 2, 1) : undefined,
    status: whole(rows - 1, 1),
    page: whole(0, height),
  }
  if (columns < BOTH_COLUMNS)
    return state.focus === "files" ? { ...layout, files: whole(0, height) } : { ...layout, ...left(columns) }
  const filesColumns = Math.max(20, Math.min(columns - 25, Math.round(columns * state.settings.filesWidth)))
  const leftColumns = columns - filesColumns
  return {
    ...layout,
    ...left(leftColumns - 1),
    files: { row: 0, column: leftColumns, rows: height, columns: filesColumns },
  }

  function left(width: number): Pick<Layout, "layers" | "details" | "image"> {
    const wanted = state.image.layers.length + LAYERS_HEAD
    if (height < LAYERS_HEAD + 2 + DETAILS_LEAST)
      return { layers: area(0, height), details: undefined, image: undefined }
    const hasImage = height >= LAYERS_HEAD + 2 + DETAILS_LEAST + IMAGE_LEAST
    const most = hasImage ? Math.max(LAYERS_HEAD + 2, Math.floor(height * 0.4)) : height - DETAILS_LEAST
    const layers = Math.min(wanted, most)
    const rest = height - layers
    const details = hasImage ? Math.max(DETAILS_LEAST, Math.min(DETAILS_MOST, rest - IMAGE_LEAST)) : rest
    return {
      layers: area(0, layers),
      details: area(layers, details),
      image: hasImage ? area(layers + details, rest - details) : undefined,
    }

    function area(row: number, count: number): Area {
      return { row, column: 0, rows: count, columns: width }
    }
  }
}

/** Rows of the tree's area above the first of its own: its title, and the head of its columns. */
export function filesHead({ files }: Pick<ExploreState, "files">): number {
  return files.hasAttributes ? 2 : 1
}
