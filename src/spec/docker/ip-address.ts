/** Whether `text` is an IPv4 address: four decimal numbers, no leading zeros. */
export function isIpv4(text: string): boolean {
  const parts = text.split(".")
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}

/** Whether `text` is an IPv6 address, without brackets and zone. */
export function isIpv6(text: string): boolean {
  // the URL parser knows RFC 4291 in full and costs nothing to load, unlike node:net
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(":")) return false
  // it takes one colon at the end, too
  return !/[^:]:$/.test(text) && URL.canParse(`http://[${text}]/`)
}

/** Whether `text` is an IPv4 or IPv6 address, without a zone. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text)
}
