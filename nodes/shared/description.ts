/** The nodes' description. n8n's panel shows one entry for both of them, with the description of either. */
export const DESCRIPTION =
	'Collect bank payments by link and QR code, and start workflows on their events';
