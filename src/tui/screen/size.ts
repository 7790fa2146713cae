import { terminalSize } from "../../sys/terminal/terminal.ts"

/** In characters. */
export interface ScreenSize {
  rows: number
  columns: number
}

const FALLBACK: ScreenSize = { rows: 24, columns: 80 }
/** No screen is larger; a pseudo-terminal may claim it. */
const MOST: ScreenSize = { rows: 500, columns: 1000 }

/** The size of the terminal on `fd`, bounded. */
export function screenSize(fd: number): ScreenSize {
  const { rows, columns } = terminalSize(fd) ?? FALLBACK
  return { rows: Math.min(rows, MOST.rows), columns: Math.min(columns, MOST.columns) }
}
