// `npm run test:packages` asks for the tests of this folder; everything else skips them, with the reason in their titles.

export const isWanted: boolean = process.env['WEIR_TEST_PACKAGES'] === 'true';
export const why: string = isWanted ? '' : ' (skipped: only npm run test:packages has it)';
export const minutes = 60_000;
