/** Base64 of the text's UTF-8 bytes. */
export const btoaUtf8 = (text: string): string => btoa(String.fromCodePoint(...new TextEncoder().encode(text)))
