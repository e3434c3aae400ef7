/** Base64 (RFC 4648 section 4) of the text's UTF-8 bytes; `btoa` alone throws for characters above U+00FF. */
export const btoaUtf8 = (text: string): string => btoa(String.fromCodePoint(...new TextEncoder().encode(text)))
