/** What `-v`, `--mount` and `--tmpfs` ask for. */
export type MountRequest =
  | { type: "bind"; source: string; target: string; readOnly: boolean; propagation?: string; createSource: boolean }
  | { type: "volume"; source?: string; target: string; readOnly: boolean; copyUp: boolean }
  | { type: "tmpfs"; target: string; readOnly: boolean; sizeBytes?: number; mode?: number; options?: readonly string[] }
