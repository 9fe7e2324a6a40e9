-- The storm of one chat keeps no other waiting: what is not decided about is found by chat, and what passed without looking at the rest.

drop index alerts_to_triage;
create index alerts_to_triage on alerts (chat_id, id) where state = 'pending' and triaged_at is null;
create index alerts_passed_to_send on alerts (chat_id, id) where state = 'pending' and triaged_at is not null;
