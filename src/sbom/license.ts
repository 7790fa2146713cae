/** SPDX licence identifiers that packages mostly have (spdx.org/licenses); others are told as text, never as an expression. */
const KNOWN = new Set(
  `0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-1.0-Perl Artistic-2.0
  BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-4-Clause BSL-1.0 bzip2-1.0.6 CC-BY-3.0
  CC-BY-4.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 curl EPL-1.0 EPL-2.0 EUPL-1.2 FSFAP GFDL-1.3-only GFDL-1.3-or-later
  GPL-1.0-only GPL-1.0-or-later GPL-2.0 GPL-2.0-only GPL-2.0-or-later GPL-3.0 GPL-3.0-only GPL-3.0-or-later HPND ICU IJG
  ISC LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1 LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0 LGPL-3.0-only LGPL-3.0-or-later
  Libpng MIT MIT-0 MPL-1.1 MPL-2.0 MS-PL NCSA OFL-1.1 OpenSSL PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Ruby SSH-OpenSSH
  Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C WTFPL X11 Zlib zlib-acknowledgement ZPL-2.1`.split(/\s+/),
)

/** The licence as an SPDX expression (spdx-spec, annex D), if it is one of licences that are known; else undefined. */
export function licenseExpression(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const words = text
    .replaceAll(/[()]/g, (bracket) => ` ${bracket} `)
    .trim()
    .split(/\s+/)
  let [depth, wantsName] = [0, true]
  for (const word of words) {
    if (word === "(" && wantsName) depth++
    else if (word === ")" && !wantsName && depth > 0) depth--
    else if (wantsName && KNOWN.has(word)) wantsName = false
    else if (!wantsName && (word === "AND" || word === "OR")) wantsName = true
    else return undefined
  }
  return wantsName || depth > 0 ? undefined : words.join(" ").replaceAll("( ", "(").replaceAll(" )", ")")
}
