// Runs in the page of the playground: each function is sent there as it is, so it uses nothing from outside.

/** A text that can be seen, and how it stands out from what is behind it (WCAG 2.2, 1.4.3: 4.5 is enough). */
interface Contrast {
  readonly text: string
  readonly ratio: number
}

/** The contrast of every text that can be seen. */
export function contrasts(): Contrast[] {
  const numbers = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (colour: string): number => {
    const [r = 0, g = 0, b = 0] = numbers(colour)
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const isOpaque = (colour: string): boolean => (numbers(colour)[3] ?? 1) === 1
  const behind = (element: Element | null): string => {
    const colour = element ? getComputedStyle(element).backgroundColor : 'rgb(255, 255, 255)'
    return isOpaque(colour) ? colour : behind(element?.parentElement ?? null)
  }
  const hasText = (element: Element): boolean => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim())
  return [...document.querySelectorAll<HTMLElement>('body *')]
    .filter((element) => hasText(element) && element.checkVisibility() && !element.closest(':disabled'))
    .map((element) => {
      const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))]
      return { text: element.innerText, ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) }
    })
}

/** Controls that a screen reader could not name. */
export function namelessControls(): string[] {
  return [...document.querySelectorAll<HTMLElement>('button, input, select, textarea, progress')]
    .filter((control) => {
      const labels = (control as HTMLInputElement).labels ?? []
      const named =
        control.ariaLabel ??
        (control instanceof HTMLButtonElement ? control.textContent : [...labels].map((label) => label.innerText).join(''))
      return control.checkVisibility() && named.trim() === ''
    })
    .map(({ outerHTML }) => outerHTML)
}
