/** What n8n's lists show of the trigger. */
import { AcountPayTrigger } from '../../../nodes/AcountPayTrigger/AcountPayTrigger.node';
import { EVENTS, KEY_EVENTS } from '../../../nodes/shared/api/events';

const { properties } = new AcountPayTrigger().description;
const lists = properties.filter(({ name }) => name === 'events');

describe('the events of the trigger', () => {
	it('stand in one field, so that the list of actions has them all', () => {
		expect(lists).toHaveLength(1);
		expect(lists[0].displayOptions).toBeUndefined();
		expect(lists[0].options!.map((option) => 'value' in option && option.value).sort()).toEqual(
			[...new Set<string>([...EVENTS, ...KEY_EVENTS])].sort(),
		);
	});

	it.each([
		['oAuth2', EVENTS],
		['apiKey', KEY_EVENTS],
	])('are shown with %s where they come with it', (authentication, events) => {
		const shown = lists[0].options!.flatMap((option) => {
			if (!('value' in option)) return [];
			const only = option.displayOptions?.show?.authentication;
			return !only || only.includes(authentication) ? [option.value] : [];
		});
		expect(shown.sort()).toEqual([...events].sort());
	});

	it.each([
		['oAuth2', EVENTS],
		['apiKey', KEY_EVENTS],
	])('that do not come with %s are said to, by their names', (authentication, events) => {
		const known = lists[0].options!.flatMap((option) => ('value' in option ? [option] : []));
		const foreign = known.filter(({ value }) => !(events as readonly unknown[]).includes(value));
		const [notice] = properties
			.filter(({ name }) => name === 'foreignEventNotice')
			.filter(({ displayOptions: { show, hide } = {} }) =>
				authentication === 'apiKey' ? show?.authentication : hide?.authentication,
			);
		expect(notice.displayOptions!.show!.events).toEqual(foreign.map(({ value }) => value));
		for (const { name } of foreign) expect(notice.displayName).toContain(name);
	});
});
