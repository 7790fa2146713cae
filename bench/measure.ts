import type { Engine } from "./engine.ts"

/** One row of the table: gives one figure for one engine; the rounds of all engines are interleaved. */
export interface Measure {
  name: string
  unit: "ms" | "s" | "MiB" | "%"
  rounds: number
  /** The goal: at most `ratio` of the peer's figure, or an absolute figure. */
  target?: { ratio: number; peer: "podman" | "docker" | "best" } | { atMost: number }
  /** Who is asked: all that run containers; those that only build, too; those of the ordinary user. */
  by?: "builders" | "user"
  /** Before its first round, not timed. */
  before?(engine: Engine): Promise<void>
  /** NaN where the engine has no such figure. */
  round(engine: Engine): Promise<number>
  after?(engine: Engine): Promise<void>
}
