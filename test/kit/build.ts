import { buildPackage } from '../../tools/package';

/** Compiles what the tests are about to run, when a source is newer. jest runs this once, before the first of them. */
export default async function build(): Promise<void> {
	await buildPackage();
}
