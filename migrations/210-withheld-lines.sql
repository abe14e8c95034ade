-- Lines of orders that wait for stock which is withheld while the source of its place is silent: filled when it is heard.

create table inventory.withheld (
  source text not null,
  flow text not null check (flow in ('messages', 'readings')),
  doc bigint not null,
  line smallint not null,
  at timestamptz(3) not null default now(),
  primary key (source, flow, doc, line)
);
create index withheld_of_order on inventory.withheld (doc);
