/** Whether a password is the one that a bcrypt hash was made of, as `htpasswd -B` writes it. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  // the same algorithm under PHP's and Apache's letter
  return Bun.password.verify(password, hash.replace(/^\$2y\$/, "$2b$"), "bcrypt")
}
