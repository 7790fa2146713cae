/** Bits a second; what is left out has no limit. */
export interface TrafficRate {
  receiveBitsPerSecond?: number
  sendBitsPerSecond?: number
}
