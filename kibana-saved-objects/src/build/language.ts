/**
 * Takes a language, gives the function that picks a text in it.
 * Keeps: both texts stand side by side in the source, so that nobody changes one and forgets the other.
 */

export type Language = 'en' | 'ru';

/** Gives the English or the Russian of a text. */
export type Say = (en: string, ru: string) => string;

export function sayIn(language: Language): Say {
  return (en, ru) => (language === 'en' ? en : ru);
}

/** Ids of the English objects are bare; those of the Russian ones end with `-ru`, so that both fit in one space. */
export function idIn(language: Language, id: string): string {
  return language === 'en' ? id : `${id}-${language}`;
}
