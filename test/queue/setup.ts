import { requireServices } from '../../tools/services';

/** Says what is missing before anything is started. jest runs this once, when queue tests are to be run. */
export default function setup(): void {
	requireServices();
}
