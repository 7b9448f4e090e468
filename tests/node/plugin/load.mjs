// load.mjs - imports as one who has what lies in node_modules beside this.
export const load = (name) => import(name);
