import { user } from "./user.ts"

/** `10.81` for root, `10.181` for the ordinary user whose tests run beside: a range that the host has is not given twice. */
export const ten = (second: number): string => `10.${user.rootless ? second + 100 : second}`
