/** A push that has seen a blob refers to it within this time, unless the user says another. */
export const DEFAULT_GRACE_MS = 60 * 60 * 1000
