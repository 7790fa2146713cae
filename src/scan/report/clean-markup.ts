import { escapeMarkup } from "../../base/escape-markup.ts"

/** A stranger's text in XML or HTML, in an element or between quotes; what XML 1.0 knows no letter for becomes U+FFFD. */
export function cleanMarkup(text: string): string {
  return escapeMarkup(
    text
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, "\ufffd"),
  )
}
