import type { LoadWarning } from "./request.ts"

/** Takes what the maker of the files should know. */
export type Warn = (warning: LoadWarning) => void
