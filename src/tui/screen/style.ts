/** How a cell looks, in one number: so that cells compare by `===`. Made by `style`, 0 is the terminal's own look. */
export type Style = number

/** ECMA-48's eight colours, by their places in SGR 30–37, and the grey that all terminals have as bright black. */
export type Colour = "black" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "white" | "grey"

export interface Look {
  colour?: Colour | undefined
  background?: Colour | undefined
  bold?: boolean
  dim?: boolean
  underline?: boolean
  reverse?: boolean
}

/** The terminal's own look. */
export const PLAIN: Style = 0

const COLOURS: readonly Colour[] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "grey"]
const COLOUR_BITS = 4
const MASK = (1 << COLOUR_BITS) - 1
const BOLD = 1 << 8
const DIM = 1 << 9
const UNDERLINE = 1 << 10
const REVERSE = 1 << 11

/** The number of a look. */
export function style({ colour, background, bold, dim, underline, reverse }: Look): Style {
  return (
    place(colour) |
    (place(background) << COLOUR_BITS) |
    (bold ? BOLD : 0) |
    (dim ? DIM : 0) |
    (underline ? UNDERLINE : 0) |
    (reverse ? REVERSE : 0)
  )
}

/** The SGR sequence (ECMA-48, 8.3.117) that gives this look whatever was before; colours are left out where there are none. */
export function sgr(of: Style, hasColour: boolean): string {
  const codes = [0]
  if (of & BOLD) codes.push(1)
  if (of & DIM) codes.push(2)
  if (of & UNDERLINE) codes.push(4)
  if (of & REVERSE) codes.push(7)
  if (hasColour) {
    const colour = COLOURS[(of & MASK) - 1]
    const background = COLOURS[((of >> COLOUR_BITS) & MASK) - 1]
    if (colour) codes.push(colour === "grey" ? 90 : 30 + COLOURS.indexOf(colour))
    if (background) codes.push(background === "grey" ? 100 : 40 + COLOURS.indexOf(background))
  }
  return `\x1b[${codes.join(";")}m`
}

function place(name: Colour | undefined): number {
  return name === undefined ? 0 : COLOURS.indexOf(name) + 1
}
