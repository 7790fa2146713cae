/**
 * The order in which go-yaml writes the keys of a map: letters after everything else, but digits in the midst of a word as numbers, so that
 * `a9` comes before `a10`.
 */
export function compareKeys(a: string, b: string): number {
  let at = 0
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at++
  if (at === a.length || at === b.length) return a.length - b.length
  const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)]
  // nearly all: two letters are compared by their codes whatever stands before them
  return isAsciiLetter(x) && isAsciiLetter(y) ? x - y : compareCharacters([...a], [...b])
}

function isAsciiLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
}

function compareCharacters(left: readonly string[], right: readonly string[]): number {
  let inDigits = false
  for (let at = 0; at < left.length && at < right.length; at++) {
    const x = left[at] ?? ""
    const y = right[at] ?? ""
    if (x !== y) return compareAt(left, right, at, inDigits)
    inDigits = isDigit(x)
  }
  return left.length - right.length
}

function compareAt(left: readonly string[], right: readonly string[], at: number, inDigits: boolean): number {
  const x = left[at] ?? ""
  const y = right[at] ?? ""
  const isLeftLetter = isLetter(x)
  const isRightLetter = isLetter(y)
  if (isLeftLetter && isRightLetter) return byCode(x, y)
  if (isLeftLetter || isRightLetter) return (inDigits ? isLeftLetter : isRightLetter) ? -1 : 1
  // a zero behind another digit is part of a number that began before it
  const lead = (x === "0" || y === "0") && followsNumber(left, at) ? 1 : 0
  const [leftNumber, leftEnd] = numberFrom(left, at, lead)
  const [rightNumber, rightEnd] = numberFrom(right, at, lead)
  return leftNumber - rightNumber || leftEnd - rightEnd || byCode(x, y)
}

function followsNumber(text: readonly string[], at: number): boolean {
  for (let before = at - 1; before >= 0 && isDigit(text[before] ?? ""); before--) if (text[before] !== "0") return true
  return false
}

function numberFrom(text: readonly string[], from: number, lead: number): [number, number] {
  let number = lead
  let at = from
  for (; isDigit(text[at] ?? ""); at++) number = number * 10 + Number(text[at])
  return [number, at]
}

function isDigit(character: string): boolean {
  return /^[0-9]$/.test(character)
}

function isLetter(character: string): boolean {
  return /^\p{L}$/u.test(character)
}

function byCode(a: string, b: string): number {
  return (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0)
}
