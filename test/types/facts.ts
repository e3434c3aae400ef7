// How the type tests of this folder compare types. Nothing in it runs: a fact that does not hold does not compile.

/** `any` agrees with everything, so a type that came out as `any` would hide every difference. */
export type IsAny<T> = 0 extends 1 & T ? true : false

type AreKnown<A, B> = IsAny<A> | IsAny<B> extends false ? true : false

/** A value of the left type is good for the right one. */
export type To<A, B> = AreKnown<A, B> extends false ? 'any' : [A] extends [B] ? true : 'not ->'

/** A value of either type is good for the other. */
export type Mutual<A, B> = To<A, B> extends true ? (To<B, A> extends true ? true : 'not <-') : To<A, B>

/** The members that a type names itself; what only its index signature allows is left out. */
export type Declared<T> = T extends unknown ? keyof { [K in keyof T as string extends K ? never : K]: unknown } : never

/** Both types name the same members: optional members and index signatures make unrelated types assignable to each other. */
export type Members<A, B> = [Exclude<Declared<A>, Declared<B>>, Exclude<Declared<B>, Declared<A>>] extends [never, never]
  ? true
  : { onlyLeft: Exclude<Declared<A>, Declared<B>>; onlyRight: Exclude<Declared<B>, Declared<A>> }

/** The types take each other's values, and name the same members. */
export type Same<A, B> = Mutual<A, B> extends true ? Members<A, B> : Mutual<A, B>

/** States a fact, which is the type argument itself. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export declare function holds<Fact extends true>(fact?: Fact): void
