import type { Figures } from "../../explore/explore.ts"
import type { ExploredTree } from "../../explore/explore.ts"
import type { FilePlace, ListItem, LinesPage } from "./page.ts"

/** What the screen asks to be done. One that takes long ends the one of the same kind before it. */
export type ExploreEffect =
  | { kind: "figures" }
  | { kind: "match"; purpose: "filter" | "search"; tree: ExploredTree; text: string }
  | { kind: "read"; place: FilePlace; offset: number; isFirst: boolean; toLine: "first" | "last" }
  | { kind: "compare"; place: FilePlace }
  | { kind: "history"; path: string }
  | { kind: "contents"; tree: ExploredTree; text: string }
  | { kind: "extract"; place: FilePlace; mode: number; to: string }
  /** Ends what is still being looked for. */
  | { kind: "cancel" }

/** What comes of it. */
export type ExploreEvent =
  | { kind: "figures"; figures: Figures }
  | { kind: "matched"; purpose: "filter" | "search"; text: string; paths: readonly string[]; isCut: boolean }
  | {
      kind: "read"
      place: FilePlace
      offset: number
      bytes: Uint8Array
      sizeBytes: number
      isFirst: boolean
      toLine: "first" | "last"
    }
  | { kind: "lines"; page: LinesPage }
  | { kind: "list"; title: string; items: readonly ListItem[]; message?: string }
  | { kind: "told"; text: string; isError: boolean }
