const PROXIES = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"]

/**
 * The proxy variables for RUN that build args give (Dockerfile reference, "Predefined ARGs"), in both cases. They are no
 * part of a vertex: neither the cache nor the history may know them.
 */
export function proxyVariables(args: Readonly<Record<string, string>>): string[] {
  return PROXIES.flatMap((name) => {
    const key = Object.keys(args)
      .toSorted()
      .findLast((arg) => arg.toLowerCase() === name)
    const value = key === undefined ? undefined : args[key]
    return value === undefined ? [] : [`${name.toUpperCase()}=${value}`, `${name}=${value}`]
  })
}
