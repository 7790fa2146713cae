/** A path that more than one layer has. */
export interface Inefficiency {
  /** Raw, relative to the root. */
  path: string
  /** How often it was seen. */
  count: number
  /** Of all its sizes together; what a whiteout of a directory removes counts as its size. */
  sizeBytes: number
}

/** dive's figures, by dive's counting. */
export interface Figures {
  /** 0 to 1: the smallest sizes of all paths by all their sizes; 1 of an image without bytes. */
  efficiency: number
  sizeBytes: number
  /** Of all layers but the first. */
  userBytes: number
  wastedBytes: number
  /** `wastedBytes` of `userBytes`: NaN for 0 of 0, Infinity for something of nothing, as dive. */
  wastedUserPercent: number
  /** The most bytes first. */
  inefficiencies: readonly Inefficiency[]
}
