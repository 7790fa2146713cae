import { SILENT_LOOK, type ScanOptions } from "../../scan/scan.ts"

/** A look at layers alone: no data are asked. */
export const NO_LOOKS: ScanOptions = { ...SILENT_LOOK, packageKinds: [], withoutLocalFiles: false }
