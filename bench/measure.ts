import type { Engine } from "./engine.ts"

/** One row of the table: gives one figure for one engine; the rounds of all engines are interleaved. */
export interface Measure {
  name: string
  unit: "ms" | "s" | "MiB" | "%" | "Gbit/s"
  rounds: number
  /** The goal: at most `ratio` of the peer's figure, at least so much of the best's where more is better, or an absolute figure. */
  target?:
    { ratio: number; peer: "podman" | "docker" | "best" } | { atLeast: number; peer: "best" } | { atMost: number }
  /** Who is asked: all that run containers; those that only build, too; those with compose in them; those of the ordinary user. */
  by?: "builders" | "compose" | "user"
  /** Before its first round, not timed. */
  before?(engine: Engine): Promise<void>
  /** NaN where the engine has no such figure. */
  round(engine: Engine): Promise<number>
  after?(engine: Engine): Promise<void>
}
