import { NotFound } from "../../base/errors.ts"
import { loadUnits, quadletDirectories } from "./directories.ts"
import type { QuadletUnit } from "./quadlet-unit.ts"

/** By its file's name. Throws NotFound. */
export function findQuadlet(name: string): QuadletUnit {
  const unit = loadUnits(quadletDirectories(process.getuid?.() !== 0)).units.get(name)
  if (unit === undefined) throw new NotFound(`no Quadlet file "${name}"`, { hint: "see: skiff quadlet list" })
  return unit
}
