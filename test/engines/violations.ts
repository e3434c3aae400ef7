// Imported before all others: the SDK tries `eval` while it is loaded.

/** Lines of the script at which the policy of the page forbade an `eval`. */
export const violations: number[] = []

document.addEventListener('securitypolicyviolation', ({ blockedURI, lineNumber }) => {
  // Firefox also reports the icon of the page that it asks for by itself.
  if (blockedURI === 'eval') violations.push(lineNumber)
})
