/** What a person does at the terminal. Rows and columns count from 0. */
export type InputEvent = KeyEvent | PasteEvent | MouseEvent

export interface KeyEvent {
  kind: "key"
  /** Modifiers in the order `ctrl+alt+shift+`, then the key: `a`, `A`, `up`, `f5`, `ctrl+space`, `alt+x`, `shift+tab`. */
  key: string
  /** What it writes into a line that is edited: a character, where there is one. */
  text?: string
}

/** Text that was put in at once; it may have newlines and controls. */
export interface PasteEvent {
  kind: "paste"
  text: string
}

export interface MouseEvent {
  kind: "mouse"
  action: "press" | "release" | "drag" | "wheel-up" | "wheel-down"
  /** 0 left, 1 middle, 2 right; undefined for the wheel. */
  button?: number
  row: number
  column: number
}
