-- An order that an ERP has a warehouse ship is found in the warehouse's list by the ERP's number.
create index external_reservation_reference on inventory.external_reservation (company, reference)
  where reference is not null;
