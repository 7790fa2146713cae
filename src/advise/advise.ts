/**
 * What to change in an image, a file, a host or a container, each with the number that was measured for it.
 *
 *   an image's layers ─▶ lost bytes, caches, steps to join, lighter bases ─┐
 *   files (scan's rules) ─▶ what they break, edits that mend it ───────────┼─▶ Advice
 *   the meter ─▶ limits, how many fit ─────────────────────────────────────┘
 *
 * Pure but for what reads an image's layers; nothing is changed here: edits are texts.
 */
export type { Advice, Edit, Measure } from "./advice.ts"
export { adviseFile, editsOf } from "./advise-file.ts"
export { adviseImage, type ImageToAdvise } from "./advise-image.ts"
export { adviseLimits, type LimitAdvice, type ObservedUse } from "./advise-limits.ts"
export { adviseDensity, type Density, type DensityRequest } from "./advise-density.ts"
export { advisePortability, type HostFacts, type Portability } from "./advise-portable.ts"
export { applyEdits, diffOf } from "./edits.ts"
