import { run } from "../sys/process/process.ts"

/** The first version number that `PROGRAM --version` prints: `1.8.1`; undefined when it prints none. */
export async function programVersion(path: string): Promise<string | undefined> {
  const { stdout, stderr } = await run([path, "--version"])
  return parseVersion(stdout) ?? parseVersion(stderr)
}

/** `1.8.1` of `crun version 1.8.1`, `0.1.7` of `tini version 0.1.7_catatonit`; pasta counts in days: `2023_03_29.b10b983`. */
export function parseVersion(text: string): string | undefined {
  // the lines after the first speak of licences and libraries
  return /\b\d{4}_\d{2}_\d{2}|\d+(?:\.\d+)+/.exec(text.split("\n", 1)[0] ?? "")?.[0]
}

/** Whether a dotted version is below `floor`; parts that are missing or no numbers count as 0. */
export function isOlder(version: string, floor: readonly number[]): boolean {
  const parts = version.split(".").map(Number)
  const index = floor.findIndex((part, at) => (parts[at] ?? 0) !== part)
  return index >= 0 && (parts[index] ?? 0) < (floor[index] ?? 0)
}
