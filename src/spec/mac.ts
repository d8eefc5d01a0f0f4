declare const brand: unique symbol;
/** Six lower-case hex pairs with colons, unicast. */
export type Mac = string & { readonly [brand]: 'Mac' };
