/** The user and password of an address: git gets them where no other user of the host can see them (proc(5): not in its words). */
import { InvalidArgument } from "../../base/errors.ts"

/** A repository for git's command line: what is secret goes by the environment. */
export interface GitAddress {
  /** Without what is secret. */
  remote: string
  /** Words before git's verb. */
  settings: readonly string[]
  env: Readonly<Record<string, string>>
}

const USER = "SKIFF_GIT_USER"
const PASSWORD = "SKIFF_GIT_PASSWORD"
/** gitcredentials(7): a snippet of shell that answers what git asks; its words hold no secret. */
const HELPER = `!f() { printf 'username=%s\\npassword=%s\\n' "$${USER}" "$${PASSWORD}"; }; f`

/**
 * For http the answer is for that scheme, host and port alone, and only given when the server asks: a redirect takes it nowhere
 * else. A password of another protocol is of no use to git. Throws InvalidArgument.
 */
export function separateCredentials(address: string): GitAddress {
  const [, scheme = "", user = "", password, rest = ""] =
    /^(\w+):\/\/([^/@:]*)(?::([^/@]*))?@(.*)$/s.exec(address) ?? []
  if (scheme === "") return { remote: address, settings: [], env: {} }
  if (scheme !== "http" && scheme !== "https")
    return { remote: password === undefined ? address : `${scheme}://${user}@${rest}`, settings: [], env: {} }
  const [host = ""] = rest.split("/", 1)
  return {
    remote: `${scheme}://${rest}`,
    settings: ["-c", `credential.${scheme}://${host}.helper=${HELPER}`],
    env: { [USER]: decoded(user), [PASSWORD]: decoded(password ?? "") },
  }
}

/** A line more would be an answer more (CVE-2020-5260). */
function decoded(text: string): string {
  let value: string
  try {
    value = decodeURIComponent(text)
  } catch (cause) {
    throw new InvalidArgument("the user or password of a git address is not rightly percent-encoded", { cause })
  }
  if (/\p{Cc}/u.test(value))
    throw new InvalidArgument("the user or password of a git address holds a control character")
  return value
}
