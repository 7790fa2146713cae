const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i
const HARMLESS = /(?:_|^)(?:public|file|version)(?:_|$)/i

/** Whether a variable's name says that its value is a secret: `API_KEY`, `DB_PASSWORD`; but not `TOKEN_FILE`. */
export function looksSecret(name: string): boolean {
  return SECRET.test(name) && !HARMLESS.test(name)
}
