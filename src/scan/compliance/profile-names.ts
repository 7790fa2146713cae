/** What a report can be held against. */
export const PROFILES = ["pci-dss", "hipaa", "gdpr", "cis"] as const
/** One of `PROFILES`. */
export type ProfileName = (typeof PROFILES)[number]
